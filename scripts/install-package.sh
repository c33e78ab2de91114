#!/usr/bin/env bash
# Installs the package as a user does, from its tarball into an empty folder, runs it and says how large it is.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$root" && npm pack --silent --pack-destination "$folder" > /dev/null
mkdir "$folder/app" && cd "$folder/app"
echo '{ "type": "module" }' > package.json
ONNXRUNTIME_NODE_INSTALL=skip npm install --silent --prefer-offline --no-audit --no-fund "$folder"/groundmill-*.tgz
npx groundmill --version
echo "
  import { createRequire } from 'node:module'
  const { exports } = createRequire(import.meta.url)('groundmill/package.json')
  for (const entry of Object.keys(exports).filter((name) => !name.endsWith('.json'))) {
    const found = await import('groundmill' + entry.slice(1))
    console.log('groundmill' + entry.slice(1), Object.keys(found).length, 'exports')
  }
" > entries.js
node entries.js
echo "$(du -sm --apparent-size node_modules | cut -f1) MB in $(grep -c '"node_modules/' node_modules/.package-lock.json) packages"
