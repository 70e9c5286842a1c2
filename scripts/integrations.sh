#!/usr/bin/env bash
# Installs the npm package of the web component into new React, Vue, Svelte, Angular and plain Vite projects, checks their types,
# builds them, and runs each in Chromium to a verdict. Downloads the frameworks. Needs `make build` once.
# KINDS="react vue" runs these only.
set -euo pipefail
cd "$(dirname "$0")/../webclient"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

npm pack --silent --pack-destination "$scratch" >/dev/null
package=$(ls "$scratch"/*.tgz)
KINDS=${KINDS:-vite react vue svelte angular}
for name in $KINDS; do
  start=$SECONDS
  cp -r "integrations/projects/$name" "$scratch/$name"
  (cd "$scratch/$name" && npm install --prefer-offline --no-audit --no-fund --loglevel=error "$package" && npm run --silent build)
  printf '── %s: installed and built in %d s\n' "$name" $((SECONDS - start))
done
KINDS=$KINDS INTEGRATIONS=$scratch node_modules/.bin/vitest run --config vitest.integrations.config.ts
