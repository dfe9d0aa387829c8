"""A view of the page, driven as a person does: by the mouse and by keys."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from browser import complaints

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver
    from selenium.webdriver.remote.webelement import WebElement

_WATCH = "window.refused = []; addEventListener('securitypolicyviolation', (e) => refused.push(e.violatedDirective))"


def watch(driver: WebDriver) -> None:
    """From now on every page notes what its policy refuses."""
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _WATCH})


def visit(driver: WebDriver, url: str, view: str) -> None:
    """The view `make?run=toy&...` in a fresh page."""
    driver.get("about:blank")
    driver.get(f"{url}/#/{view}")
    until(driver, "return document.querySelector('[data-view]')?.dataset.view", view.split("?", maxsplit=1)[0])


def until(driver: WebDriver, script: str, wanted: object = None, *, seconds: float = 60) -> Any:
    """What `script` returns once it is `wanted`, or something that is true. Raises AssertionError after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        seen = driver.execute_script(script)  # type: ignore[no-untyped-call]
        if seen == wanted if wanted is not None else seen:
            return seen
        assert time.monotonic() < end, f"{script}: {seen!r} and not {wanted!r}; {complaints(driver)}"
        time.sleep(0.05)


def one(driver: WebDriver, css: str) -> WebElement:
    """The first element of a selector."""
    return driver.find_element("css selector", css)


def button(driver: WebDriver, words: str) -> WebElement:
    """The button or link of the view that begins with these words, or has them as its name."""
    found = driver.find_elements(
        "xpath",
        f"//*[@id='view']//*[(self::button or self::a) and (starts-with(normalize-space(.), '{words}') "
        f"or starts-with(@aria-label, '{words}'))]",
    )
    assert found, f"no button {words}"
    return found[0]


def press(driver: WebDriver, *keys: str, held: str = "") -> None:
    """Keys to whatever has the focus, `held` down all the while."""
    from selenium.webdriver import ActionChains

    chain = ActionChains(driver)
    if held:
        chain.key_down(held)
    for key in keys:
        chain.send_keys(key)
    if held:
        chain.key_up(held)
    chain.perform()


def click(driver: WebDriver, element: WebElement, held: str = "") -> None:
    """A click of the mouse on the middle of an element."""
    from selenium.webdriver import ActionChains

    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)  # type: ignore[no-untyped-call]
    chain = ActionChains(driver)
    if held:
        chain.key_down(held)
    chain.click(element)
    if held:
        chain.key_up(held)
    chain.perform()


def click_on(driver: WebDriver, css: str, *, seconds: float = 60) -> None:
    """A click on the first element of a selector; on the one in its place where the page drew it anew meanwhile."""
    from selenium.common.exceptions import StaleElementReferenceException

    end = time.monotonic() + seconds
    while True:
        try:
            return click(driver, one(driver, css))
        except StaleElementReferenceException:
            assert time.monotonic() < end, f"{css} is drawn again and again"


def state(driver: WebDriver) -> dict[str, str]:
    """What the address holds."""
    script = "return Object.fromEntries(new URLSearchParams(location.hash.split('?')[1] || ''))"
    held: dict[str, str] = driver.execute_script(script)  # type: ignore[no-untyped-call]
    return held


def require_clean(driver: WebDriver) -> None:
    """Raises AssertionError where the policy refused something, a script failed, or the page is too wide."""
    assert driver.execute_script("return window.refused") == []  # type: ignore[no-untyped-call]
    wide = "return document.documentElement.scrollWidth - innerWidth"
    assert driver.execute_script(wide) <= 0  # type: ignore[no-untyped-call]
    words = ("SyntaxError", "TypeError", "ReferenceError", "Refused to")
    assert [line for line in complaints(driver) if any(word in line for word in words)] == []
