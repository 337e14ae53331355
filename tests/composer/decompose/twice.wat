;; One module instantiated twice: each instance counts for itself.
(component
  (core module $counter
    (global $n (mut i32) (i32.const 0))
    (memory 1)
    (data $passive "\2a")
    (type $f (func (result i32)))
    (table 1 funcref)
    (elem (i32.const 0) $count)
    (func $count (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))
    (func (export "count") (result i32)
      (memory.init $passive (i32.const 0) (i32.const 0) (i32.const 1))
      (i32.add (call_indirect (type $f) (i32.const 0)) (i32.load8_u (i32.const 0)))))
  (core instance $a (instantiate $counter))
  (core instance $b (instantiate $counter))
  (func (export "a") (result u32) (canon lift (core func $a "count")))
  (func (export "b") (result u32) (canon lift (core func $b "count"))))
