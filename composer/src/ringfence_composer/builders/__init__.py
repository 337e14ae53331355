"""A builder for each language: what component.yaml describes becomes one .wasm in the build cache."""
