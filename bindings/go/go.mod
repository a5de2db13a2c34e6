module github.com/ottla-kafka/ottla/bindings/go

go 1.24
