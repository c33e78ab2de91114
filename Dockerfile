# The program with what it needs to run, and nothing that is for its development: docker build -t groundmill:0.1.0 .
FROM node:20-bookworm-slim AS build
WORKDIR /src
# CPU alone: CUDA's libraries would be fetched here, and have nothing to run on.
ENV ONNXRUNTIME_NODE_INSTALL=skip
COPY package.json package-lock.json .npmrc ./
COPY scripts/api-reference/package.json scripts/api-reference/
RUN npm ci --workspaces=false
COPY . .
RUN npm run build
# Buckets and queues are optional peers, and are development's own in the lock file: here they stay, as locked.
RUN node scripts/keep-peers.js @aws-sdk/client-s3 bullmq ioredis && npm prune --omit=dev --workspaces=false
# onnxruntime brings its libraries for every system.
RUN cd node_modules/onnxruntime-node/bin/napi-v6 && rm -rf darwin win32 \
  && cd linux && find . -mindepth 1 -maxdepth 1 ! -name "$(node -p process.arch)" -exec rm -r {} +

FROM node:20-bookworm-slim
ENV NODE_ENV=production
COPY --from=build /src/node_modules /opt/groundmill/node_modules
COPY --from=build /src/package.json /src/LICENSE /src/CHANGELOG.md /src/README.md /opt/groundmill/
COPY --from=build /src/assets /opt/groundmill/assets
COPY --from=build /src/datasets /opt/groundmill/datasets
COPY --from=build /src/pipelines /opt/groundmill/pipelines
COPY --from=build /src/dist /opt/groundmill/dist
RUN chmod 755 /opt/groundmill/dist/cli/main.js && ln -s /opt/groundmill/dist/cli/main.js /usr/local/bin/groundmill \
  && install -d -o node -g node /data
# The user `node` by its number, so that Kubernetes sees that it is not root.
USER 1000:1000
WORKDIR /data
ENTRYPOINT ["groundmill"]
CMD ["--help"]
