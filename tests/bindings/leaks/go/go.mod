module leaks

go 1.24

require github.com/ottla-kafka/ottla/bindings/go v0.0.0

replace github.com/ottla-kafka/ottla/bindings/go => ../../../../bindings/go
