// Writes the tables of docs/component.md again: npm run docs.
import { readFileSync, writeFileSync } from 'node:fs';
import { withTables } from './manifest.mjs';

const page = new URL('../../docs/component.md', import.meta.url);
writeFileSync(page, withTables(readFileSync(page, 'utf8')));
