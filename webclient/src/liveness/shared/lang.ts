// The language of the page around an element, and its changes.

/** The nearest lang attribute, as HTML says, also across shadow roots; '' when there is none. */
export function langOf(element: Element): string {
  for (let at: Element | null = element; at; at = parentOf(at)) {
    const lang = at.getAttribute('lang');
    if (lang !== null) return lang;
  }
  return '';
}

/** Calls back when a lang attribute around the element changes. Returns what ends that. */
export function watchLang(element: Element, changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  for (let root: Node | null = element.getRootNode(); root; root = root instanceof ShadowRoot ? root.host.getRootNode() : null) {
    observer.observe(root, { subtree: true, attributeFilter: ['lang'] });
  }
  return () => observer.disconnect();
}

function parentOf(element: Element): Element | null {
  if (element.parentElement) return element.parentElement;
  const root = element.getRootNode();
  return root instanceof ShadowRoot ? root.host : null;
}
