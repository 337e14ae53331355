;; The far end of an edge, and the smallest guest that can be asked something: what `calls.wat` imports.
(component
  (core module $m
    (memory (export "memory") 2)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
    (func (export "nothing"))
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "read") (param i32) (result i32)
      (i32.store (i32.const 16) (i32.const 1024)) (i32.store (i32.const 20) (local.get 0)) (i32.const 16)))
  (core instance $i (instantiate $m))
  (func $nothing (canon lift (core func $i "nothing")))
  (func $add (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
  (func $read (param "n" u32) (result (list u8)) (canon lift (core func $i "read") (memory (core memory $i "memory"))))
  (instance $host (export "nothing" (func $nothing)) (export "add" (func $add)) (export "read" (func $read)))
  (export "bench:guest/host@0.1.0" (instance $host)))
