// What both components do to their shadow roots.
import { paletteStyles } from './palette';

/** Fills the root with the template, and gives it its styles on top of the palette. */
export function build(root: ShadowRoot, template: string, styles: string): void {
  adopt(root, paletteStyles + styles);
  const holder = document.createElement('template');
  holder.innerHTML = template;
  root.append(holder.content);
}

// A constructed sheet, so that a Content-Security-Policy without
// 'unsafe-inline' holds; the element is for engines without one.
function adopt(root: ShadowRoot, styles: string): void {
  if ('adoptedStyleSheets' in root && 'replaceSync' in CSSStyleSheet.prototype) {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(styles);
    root.adoptedStyleSheets = [sheet];
    return;
  }
  const style = document.createElement('style');
  style.textContent = styles;
  root.append(style);
}

/** The element of the root that a selector names; throws when the template lacks it. */
export function find<T extends Element>(root: ShadowRoot, selector: string, type: new () => T): T {
  const el = root.querySelector(selector);
  if (!(el instanceof type)) throw new Error(`template lacks ${selector}`);
  return el;
}
