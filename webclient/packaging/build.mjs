// Builds lib/, the content of the npm package: an ES module and a CommonJS one that do nothing on import, auto.js that
// registers the element, liveness-check.js that is auto.js in one minified file, the same of <liveness-status>, their types, and custom-elements.json.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { manifest } from './manifest.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const lib = join(root, 'lib');
const entry = (name) => join(root, 'src/liveness', `${name}.ts`);

const common = { root, configFile: false, publicDir: false, logLevel: 'warn', esbuild: { charset: 'utf8' } };
const target = { target: 'es2022', emptyOutDir: false };

async function modules(entries, outDir, format) {
  const options = { entry: entries, formats: [format], fileName: (_, name) => `${name}.js` };
  await build({ ...common, build: { ...target, outDir, minify: false, lib: options } });
}

// Not as a library: Vite leaves the white space of those.
async function script(name, source) {
  const rollupOptions = {
    input: { [name]: source },
    preserveEntrySignatures: 'strict',
    output: { entryFileNames: '[name].js', inlineDynamicImports: true },
  };
  await build({ ...common, build: { ...target, outDir: lib, modulePreload: false, rollupOptions } });
}

// TypeScript writes one file of types for each source. Those that index.d.ts leads to are kept, with the endings that
// Node's resolution asks for, and without the JSON file that they take the reasons' codes from.
function types(outDir) {
  const drafts = join(lib, 'drafts');
  const made = ['--declaration', '--emitDeclarationOnly', '--noEmit', 'false', '--rootDir', 'src/liveness', '--outDir', drafts];
  execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '--project', 'packaging/tsconfig.json', ...made], {
    cwd: root,
    stdio: 'inherit',
  });
  const done = new Set();
  const keep = (file) => {
    if (done.has(file)) return;
    done.add(file);
    const text = readFileSync(file, 'utf8')
      .replace(
        /^import type reasons from '.*reasons\.json';$/m,
        `declare const reasons: ${readFileSync(join(root, 'src/liveness/reasons.json'), 'utf8').trim()};`,
      )
      .replace(/(from|import) '(\.[^']*)'/g, (_, word, specifier) => {
        const to = declared(join(dirname(file), specifier));
        keep(to);
        const path = relative(dirname(file), to).replace(/\.d\.ts$/, '.js');
        return `${word} '${path.startsWith('.') ? path : `./${path}`}'`;
      });
    const target = join(outDir, relative(drafts, file));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
  };
  keep(join(drafts, 'index.d.ts'));
  keep(join(drafts, 'auto.d.ts'));
  keep(join(drafts, 'status/index.d.ts'));
  keep(join(drafts, 'status/auto.d.ts'));
  rmSync(drafts, { recursive: true });
}

function declared(path) {
  const file = [`${path}.d.ts`, join(path, 'index.d.ts')].find((f) => existsSync(f));
  if (!file) throw new Error(`no types for ${path}`);
  return file;
}

rmSync(lib, { recursive: true, force: true });
await modules({ index: entry('index'), auto: entry('auto'), status: entry('status/index') }, lib, 'es');
await modules({ index: entry('index'), status: entry('status/index') }, join(lib, 'cjs'), 'cjs');
await script('liveness-check', entry('auto'));
await script('liveness-status', entry('status/auto'));
writeFileSync(join(lib, 'cjs/package.json'), '{ "type": "commonjs" }\n');
types(lib);
types(join(lib, 'cjs'));
cpSync(join(root, 'packaging/typings'), lib, { recursive: true });
writeFileSync(join(lib, 'types-only.js'), '// react, vue and svelte are types; nothing runs.\nexport {};\n');
writeFileSync(join(lib, 'custom-elements.json'), `${JSON.stringify(manifest(), null, 2)}\n`);
cpSync(join(root, '../LICENSE'), join(lib, 'LICENSE'));

for (const name of readdirSync(lib).filter((f) => f.endsWith('.js') && f !== 'types-only.js')) {
  const code = readFileSync(join(lib, name));
  console.error(`lib/${name}: ${(code.length / 1000).toFixed(1)} kB, ${(gzipSync(code).length / 1000).toFixed(1)} kB gzipped`);
}
