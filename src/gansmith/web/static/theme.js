// Colour scheme, set before the first paint: the remembered one, else the system's. A classic script, so that it blocks.
(() => {
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const remembered = () => { try { return localStorage.getItem("gansmith.theme"); } catch { return null; } };
  const apply = () => { root.dataset.theme = remembered() || (system.matches ? "dark" : "light"); };
  apply();
  system.addEventListener("change", () => { apply(); dispatchEvent(new Event("themechange")); });
  window.switchTheme = () => {
    const next = root.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("gansmith.theme", next); } catch { /* not remembered where storage is off */ }
    root.dataset.theme = next;
    dispatchEvent(new Event("themechange"));
    return next;
  };
})();
