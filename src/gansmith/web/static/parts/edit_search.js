// Search of a photograph's latent: how far it is, the nearest image so far, and an end at any time. The photographs that were
// searched for stay in this page, at their own size, until it is closed: the run keeps none of them so.
import { inversion } from "./inversion.js";

const MOST = 20;
const originals = new Map(); // latent -> {url, name} of the file that was dropped in

/** The photograph of a latent as it was dropped in, {url, name}; undefined where this page does not hold it. */
export const originalOf = (latent) => originals.get(latent);

/** A search: name, url (of the photograph), share, distance, seen (address of the nearest so far); changed() follows it. */
export class Search {
  constructor(context, file, { label, changed }) {
    Object.assign(this, { context, file, label, changed, name: file.name || "photograph", url: URL.createObjectURL(file), share: null, distance: undefined, seen: null, gone: new AbortController() });
    context.signal.addEventListener("abort", () => this.end());
  }

  /** The latent as the run lists it. Rejects where it fails, and where it was ended. */
  async run() {
    const done = await inversion(this.context, this.file, { label: this.label, signal: this.gone.signal, preview: (now) => {
      const before = this.seen;
      Object.assign(this, { share: now.of ? now.step / now.of : 0, distance: now.distance, seen: now.url || this.seen });
      this.changed();
      if (before !== this.seen) setTimeout(() => this.context.api.free(before), 1000);
    } });
    this.context.api.free(done.url);
    this.context.api.free(originals.get(done.latent)?.url);
    originals.delete(done.latent);
    originals.set(done.latent, { url: this.url, name: this.name });
    for (const [latent, { url }] of originals) if (originals.size > MOST) { originals.delete(latent); this.context.api.free(url); }
    this.kept = true;
    return { id: done.latent, distance: done.distance, from: done.from || this.name, photograph: true };
  }

  /** Ends it, and lets its images go. */
  end() {
    this.gone.abort();
    const { api } = this.context;
    setTimeout(() => { api.free(this.seen); if (!this.kept) api.free(this.url); }, 1000);
  }
}
