// Package kafka is the producer of confluent-kafka-go v2 over ottla: programs that use that one's producer compile and run
// with only the import changed (MOVING.md beside this module says how, and what is different). New programs
// rather use the package ottla, one folder up.
//
//	producer, err := kafka.NewProducer(&kafka.ConfigMap{"bootstrap.servers": "localhost:9092"})
//	if err != nil {
//		return err
//	}
//	defer producer.Close()
//	go func() {
//		for event := range producer.Events() {
//			if report, ok := event.(*kafka.Message); ok && report.TopicPartition.Error != nil {
//				log.Println("failed:", report.TopicPartition)
//			}
//		}
//	}()
//	topic := "greetings"
//	err = producer.Produce(&kafka.Message{
//		TopicPartition: kafka.TopicPartition{Topic: &topic, Partition: kafka.PartitionAny},
//		Value:          []byte("hello"),
//	}, nil)
//	producer.Flush(15_000)
//
// Settings, defaults, error numbers and error texts are librdkafka's (compat=librdkafka). Consumer and AdminClient are
// not here.
package kafka
