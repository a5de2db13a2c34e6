module drop_in

go 1.24

require github.com/confluentinc/confluent-kafka-go/v2 v2.15.0

require github.com/ottla-kafka/ottla/bindings/go v0.0.0 // indirect

replace github.com/confluentinc/confluent-kafka-go/v2 => ../../../bindings/go/replace

replace github.com/ottla-kafka/ottla/bindings/go => ../../../bindings/go
