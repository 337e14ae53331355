(component
  (import "acme:log/sink@1.0.0" (instance $sink (export "write" (func (param "line" string)))))
  (core module $libc
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024)))
  (core instance $libc (instantiate $libc))
  (core func $write (canon lower (func $sink "write") (memory (core memory $libc "memory"))))
  (core module $main
    (import "sink" "write" (func $write (param i32 i32)))
    (import "libc" "memory" (memory 1))
    (data (i32.const 16) "hello")
    (func $begin (call $write (i32.const 16) (i32.const 5)))
    (start $begin)
    (func (export "first") (param i32 i32) (result i32) (i32.load8_u (local.get 0))))
  (core instance $main (instantiate $main
    (with "sink" (instance (export "write" (func $write)))) (with "libc" (instance $libc))))
  (func (export "first") (param "name" string) (result u8)
    (canon lift (core func $main "first") (memory (core memory $libc "memory")) (realloc (core func $libc "realloc")))))
