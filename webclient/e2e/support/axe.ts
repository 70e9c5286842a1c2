// What a page does to its readers: axe's rules, and whether they must scroll sideways.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe finds in the page, shadow roots included: "rule: element". */
export async function violations(p: Page): Promise<string[]> {
  if (!(await p.evaluate(() => 'axe' in window))) await p.evaluate(axe); // a script element is what a page's policy may refuse
  return p.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(): Promise<{ violations: { id: string; nodes: { target: unknown }[] }[] }> } };
    const found = (await axe.run()).violations;
    return found.flatMap((v) => v.nodes.map((n) => `${v.id}: ${JSON.stringify(n.target)}`));
  });
}

/** By how many pixels the page is wider than its window. */
export const overflow = (p: Page) => p.evaluate(() => document.documentElement.scrollWidth - innerWidth);
