// Where things are: the server's binary, the shared test media, the results.
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
export const webclient = resolve(here, '../..');
const repository = resolve(webclient, '..');

export const binary = resolve(process.env['LIVEPROOF_BIN'] ?? resolve(repository, 'bin/liveproof'));

const shared = process.env['LIVEPROOF_SHARED'] ?? resolve(repository, '../shared');

/** A camera recording: MJPEG that Chromium plays in a loop as its camera. */
export function media(name: string): string {
  return resolve(shared, 'media', name);
}

/** The part of a test's name that says which shared files are missing, '' when it can run. */
export function lacking(...files: string[]): string {
  const missing = files.filter((f) => !existsSync(f));
  return missing.length ? ` [skipped: no ${missing.join(', ')}]` : '';
}

export function result(name: string): string {
  const dir = resolve(webclient, 'test-results');
  mkdirSync(dir, { recursive: true });
  return resolve(dir, name);
}
