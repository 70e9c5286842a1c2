// The operator's page in a browser: on a phone and on a desk, light and dark, read by axe, with a session that a camera was judged
// in and with external ids that want to be markup. The pictures in test-results/ are to be looked at.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { overflow, violations } from './support/axe';
import { launch, open, press, problems, reach, sessionId } from './support/browser';
import { nobody, result } from './support/paths';
import { LiveproofServer } from './support/server';

const hostile = ['<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', 'x'.repeat(128)];

let server: LiveproofServer;
let browser: Browser;
let judged: string;

async function create(external: string): Promise<string> {
  const answer = await fetch(`${server.url}v1/sessions`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${server.apiKey}`, 'Content-Type': 'application/json' },
    body: JSON.stringify({ mode: 'onboarding', external_id: external }),
  });
  expect(answer.status).toBe(201);
  return ((await answer.json()) as { id: string }).id;
}

const address = (path: string) => (/^console at (\S+)/m.exec(server.log())?.[1] ?? '') + path;

/** Opens one of the console's pages; a dialog is a script that ran. */
async function visit(path: string, options: Parameters<typeof open>[2] = {}): Promise<Page> {
  const p = await open(browser, address(path), options, 'main');
  p.on('dialog', () => expect.unreachable('a script of an external id ran'));
  return p;
}

beforeAll(async () => {
  server = await LiveproofServer.start('--deadline', '5s');
  browser = await launch({ file: nobody() });
  const p = await open(browser, server.url);
  await press(p);
  await reach(p, ['retry', 'failed', 'passed']);
  judged = await sessionId(p);
  await p.context().close();
  for (const text of hostile) await create(text);
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

describe('console', () => {
  const looks = [320, 1280].flatMap((width) => (['light', 'dark'] as const).map((colorScheme) => ({ width, colorScheme })));
  it.each(looks)('$width px, $colorScheme: axe finds nothing, nothing overflows', async ({ width, colorScheme }) => {
    const pages = { list: '', server: 'server', session: `sessions/${judged}`, empty: '?q=unknown' };
    for (const [name, path] of Object.entries(pages)) {
      const p = await visit(path, { viewport: { width, height: 800 }, colorScheme });
      await p.screenshot({ path: result(`console-${name}-${width}-${colorScheme}.png`), fullPage: true });
      expect(await violations(p), name).toEqual([]);
      expect(await overflow(p), name).toBeLessThanOrEqual(0);
      expect(problems(p), name).toEqual([]);
      await p.context().close();
    }
  });

  it('shows external ids as they are', async () => {
    const p = await visit('');
    for (const text of hostile) await p.locator('bdi').getByText(text, { exact: true }).waitFor();
    expect(await p.locator('img, script:not([src])').count()).toBe(0);
    await p.context().close();
  });

  it('shows the samples of a session', async () => {
    const p = await visit(`sessions/${judged}`);
    await p.getByRole('img', { name: /^Score ρ over/ }).waitFor();
    await p.locator('#timeline td').getByText('no_face').first().waitFor();
    await p.context().close();
  });

  it('shows all of a sample on a phone, without scrolling to the side', async () => {
    const p = await visit(`sessions/${judged}`, { viewport: { width: 320, height: 800 } });
    const reason = p.locator('#timeline td').getByText('no_face').first();
    const { x, width } = (await reason.boundingBox())!;
    expect(x + width).toBeLessThanOrEqual(320);
    const table = p.getByRole('region', { name: 'Table of samples' });
    expect(await table.evaluate((box) => box.scrollWidth - box.clientWidth)).toBe(0);
    await table.getByRole('columnheader', { name: 'quantiser' }).waitFor({ state: 'attached' });
    await p.context().close();
  });

  it('refreshes by itself, keeps the focus, and stops when told', async () => {
    const p = await visit('');
    const link = p.getByRole('link', { name: judged });
    await link.focus();
    const added = p.getByText('added later', { exact: true });
    await create('added later');
    await added.waitFor({ timeout: 10_000 });
    expect(await link.evaluate((x) => x === document.activeElement)).toBe(true);
    await p.getByLabel('refresh').uncheck();
    await create('added last');
    await p.waitForTimeout(4500);
    expect(await p.getByText('added last', { exact: true }).count()).toBe(0);
    await p.context().close();
  });

  it('finds a session by its id and by its external id', async () => {
    const p = await visit('');
    const search = p.getByLabel('id or external id');
    await search.fill(judged);
    await search.press('Enter');
    await p.waitForURL(`**/sessions/${judged}`);
    await p.goBack();
    await search.fill(hostile[0]!);
    await search.press('Enter');
    await p.locator('caption').getByText('1 session,').waitFor();
    await p.context().close();
  });
});
