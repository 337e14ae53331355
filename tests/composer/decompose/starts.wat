;; Start functions between segments. The log is a number of decimal digits that each step appends to; what a start function sees of memory
;; and table is what the component's order makes it see.
(component
  (import "note" (func $note (param "digit" u32)))
  (core func $note (canon lower (func $note)))
  (core module $first
    (import "" "note" (func $note (param i32)))
    (memory (export "memory") 1)
    (table (export "table") 4 funcref)
    (global (export "base") i32 (i32.const 100))
    (elem (i32.const 0) $one)
    (func $one (result i32) (i32.const 1))
    (data (i32.const 100) "\05")
    (start $begin)
    (func $begin
      (call $note (i32.load8_u (i32.const 100)))
      (i32.store8 (i32.const 100) (i32.const 6))
      (i32.store8 (i32.const 101) (i32.const 7))
      (if (ref.is_null (table.get 0 (i32.const 1))) (then (call $note (i32.const 9))))))
  (core instance $1 (instantiate $first (with "" (instance (export "note" (func $note))))))
  (core module $second
    (import "" "note" (func $note (param i32)))
    (import "1" "memory" (memory 1))
    (import "1" "table" (table 4 funcref))
    (import "1" "base" (global $base i32))
    (memory $own (export "own") 1)
    (type $f (func (result i32)))
    (elem (offset (i32.sub (global.get $base) (i32.const 99))) $two)
    (func $two (type $f) (i32.const 2))
    (data (memory 0) (offset (i32.add (global.get $base) (i32.const 1))) "\03")
    (data (memory $own) (i32.const 0) "\08")
    (global $copy i32 (global.get $base))
    (start $begin)
    (func $begin
      (call $note (i32.load8_u (i32.const 100)))
      (call $note (i32.load8_u (i32.const 101)))
      (call $note (call_indirect (type $f) (i32.const 1)))
      (call $note (call_indirect (type $f) (i32.const 0)))
      (call $note (i32.load8_u $own (i32.const 0)))
      (if (i32.eq (global.get $copy) (i32.const 100)) (then (call $note (i32.const 4))))))
  (core instance $2 (instantiate $second
    (with "" (instance (export "note" (func $note)))) (with "1" (instance $1))))
  (core module $get
    (import "1" "memory" (memory 1))
    (func (export "get") (param i32) (result i32) (i32.load8_u (local.get 0))))
  (core instance $3 (instantiate $get (with "1" (instance $1))))
  (func (export "get") (param "at" u32) (result u8) (canon lift (core func $3 "get"))))
