// Where things are: the server's binary, the shared test media, the results.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
export const webclient = resolve(here, '../..');
export const repository = resolve(webclient, '..');

export const binary = resolve(process.env['LIVEPROOF_BIN'] ?? resolve(repository, 'bin/liveproof'));

const shared = process.env['LIVEPROOF_SHARED'] ?? '';

/** A camera recording: MJPEG that Chromium plays in a loop as its camera. Without the shared media a path that does not exist. */
export function media(name: string): string {
  return shared ? resolve(shared, 'media', name) : `$LIVEPROOF_SHARED/media/${name}`;
}

/**
 * A camera recording without a face in which no picture repeats for 12 s. Chromium's built-in camera will
 * not do: its picture goes round in a circle, which the server rightly calls frozen.
 */
export function nobody(): string {
  const file = result('nobody.mjpeg');
  const source = ['-f', 'lavfi', '-i', 'gradients=size=640x480:rate=30:speed=0.02:seed=1,noise=alls=8:allf=t,format=yuv420p', '-t', '12'];
  if (!existsSync(file)) execFileSync('ffmpeg', ['-v', 'error', ...source, '-c:v', 'mjpeg', '-q:v', '4', file]);
  return file;
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
