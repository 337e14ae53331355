"""The graphs that our engines are measured on, each with places for what a run puts in."""

GRAPH = """
ringfence: 1
graph: bench
nodes:
  calls: {{ component: calls.wasm, digest: "{calls}", instances: pooled, limits: {{ output: 256MiB, deadline: 10min }} }}
  helper: {{ component: helper.wasm, digest: "{helper}", instances: pooled, limits: {{ deadline: 10min }} }}
edges: [{{ from: calls, to: helper, fused: {fused} }}]
expose: [calls, helper]
"""
DECODER = """
ringfence: 1
graph: decoder
nodes:
  json: {{ component: {folder} }}
expose: [json]
"""
FILES = """
ringfence: 1
graph: files
nodes: {{ files: {{ component: files.wasm, digest: "{digest}", lane: {lane}, instances: pooled, limits: {{ deadline: 10min }} }} }}
edges: [{{ from: files, to: host, grant: {{ files: [{{ path: "{folder}", as: /data }}] }} }}]
expose: [files]
"""

NETWORK = """
ringfence: 1
graph: network
nodes:
  network: {{ component: {folder}, instances: pooled, limits: {{ deadline: 10min }} }}
edges: [{{ from: network, to: host, grant: {{ tcp: ["127.0.0.1:*"] }} }}]
expose: [network]
"""

LIBRARIES = """
ringfence: 1
graph: libraries
nodes:
  markdown: {{ component: {components}/markdown, instances: pooled, limits: {{ output: 256MiB, deadline: 10min }} }}
  json: {{ component: {components}/json-decoder, instances: pooled, limits: {{ output: 256MiB, deadline: 10min }} }}
expose: [markdown, json]
"""

DATABASE = """
ringfence: 1
graph: database
nodes:
  sqlite: {{ component: {folder}, limits: {{ deadline: 10min, memory: 512MiB, written: 1GiB, output: 256MiB }} }}
edges:
  - from: sqlite
    to: host
    grant:
      files:
        - {{ path: data, match: ["*.sqlite3", "*.sqlite3-journal"], access: [read, write, create, delete], lock: ["*.sqlite3"] }}
expose: [sqlite]
"""
