// Inversion of a photograph, with previews: the server sends what was reached so far, then the latent.

const bytes = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

/** Address of an image that came as base64, or as an address of ours. */
function address(image) {
  if (!image) return null;
  return image.startsWith("/") ? image : URL.createObjectURL(new Blob([bytes(image.split(",").at(-1))], { type: "image/png" }));
}

/** {latent, distance, url of the image as the model sees it, ...} of an image file; preview({step, of, distance, url}) as the search goes on. */
export async function inversion({ api, run }, file, { label, preview, signal }) {
  let done = null;
  await api.events(api.at(run, "invert", { label, name: file.name?.slice(-200) }), { body: file, signal }, (event, data) => {
    if (event === "preview") preview({ ...data, url: address(data.image) });
    if (event === "done") done = { ...data, url: address(data.image) };
  });
  if (!done) throw new Error("The search ended without a latent.");
  return done;
}
