package native

/*
#include "ottla.h"

// The exported function below, called by the library with the number of a handle.
extern void ottlaGoLog(int32_t level, char *text, size_t text_len, uintptr_t env);

static void ottla_go_log(int32_t level, const char *text, size_t text_len, void *env)
{
    ottlaGoLog(level, (char *)text, text_len, (uintptr_t)env);
}

static int32_t ottla_go_new(const ottla_config_t *config, uintptr_t log, ottla_producer_t **producer_out)
{
    ottla_callbacks_t callbacks = OTTLA_CALLBACKS_INIT;

    if (log) {
        callbacks.on_log = ottla_go_log;
        callbacks.log_env = (void *)log;
    }
    return ottla_producer_new(config, &callbacks, producer_out, NULL);
}
*/
import "C"

import "runtime/cgo"

// logs leads the log of a producer to Go. C knows it by a number.
type logs struct {
	take   func(level int, text string)
	handle cgo.Handle
}

func newLogs(take func(level int, text string)) *logs {
	l := &logs{take: take}
	if take != nil {
		l.handle = cgo.NewHandle(l)
	}
	return l
}

func (l *logs) newProducer(settings *Settings) (*C.ottla_producer_t, error) {
	var producer *C.ottla_producer_t
	err := call(func() C.int32_t {
		return C.ottla_go_new(settings.handle, C.uintptr_t(l.handle), &producer)
	})
	if err != nil {
		l.close()
	}
	return producer, err
}

// close is called when the producer is freed, after which no line comes.
func (l *logs) close() {
	if l.handle != 0 {
		l.handle.Delete()
		l.handle = 0
	}
}

//export ottlaGoLog
func ottlaGoLog(level C.int32_t, text *C.char, size C.size_t, env C.uintptr_t) {
	cgo.Handle(env).Value().(*logs).take(int(level), C.GoStringN(text, C.int(size)))
}
