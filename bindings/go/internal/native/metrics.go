package native

// #include "ottla.h"
import "C"

// Metrics gives every metric now, by name. An average or maximum of nothing is NaN.
func (p *Producer[T]) Metrics() (map[string]float64, error) {
	var snapshot *C.ottla_metrics_t
	err := call(func() C.int32_t { return C.ottla_producer_metrics(p.handle, &snapshot, nil) })
	if err != nil {
		return nil, err
	}
	defer C.ottla_metrics_free(snapshot)
	metrics := map[string]float64{}
	for i := range C.ottla_metrics_count(snapshot) {
		var name *C.char
		var value C.double
		C.ottla_metrics_at(snapshot, i, &name, &value)
		metrics[C.GoString(name)] = float64(value)
	}
	return metrics, nil
}
