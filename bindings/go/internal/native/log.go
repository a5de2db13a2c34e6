package native

/*
#include "ottla.h"

// The exported function below, called by the library with the number of a handle.
extern void ottlaGoEvent(int32_t kind, int32_t level, int32_t status, char *text, size_t text_len, uintptr_t env);

static void ottla_go_event(const ottla_event_t *event, const char *text, void *env)
{
    ottlaGoEvent(event->kind, event->level, event->status, (char *)text, event->text_len, (uintptr_t)env);
}

static int32_t ottla_go_new(const ottla_config_t *config, uintptr_t events, ottla_producer_t **producer_out)
{
    ottla_callbacks_t callbacks = OTTLA_CALLBACKS_INIT;

    if (events) {
        callbacks.on_event = ottla_go_event;
        callbacks.event_env = (void *)events;
    }
    return ottla_producer_new(config, &callbacks, producer_out, NULL);
}
*/
import "C"

import (
	"runtime/cgo"
	"strconv"
)

// Event is a line of the log, or an error that no call and no report stands for.
type Event struct {
	// Level in syslog's numbers.
	Level int
	// Code of the error; 0 for lines.
	Code int32
	Text string
	// Logged says whether the setting log_level wants a line of it.
	Logged bool
}

// events leads what happens in a producer to Go. C knows it by a number.
type events struct {
	take   func(Event)
	most   int
	handle cgo.Handle
}

func newEvents(settings *Settings, take func(Event)) *events {
	e := &events{take: take}
	if take != nil {
		level, _ := settings.Get("log_level")
		e.most, _ = strconv.Atoi(level)
		e.handle = cgo.NewHandle(e)
	}
	return e
}

func (e *events) newProducer(settings *Settings) (*C.ottla_producer_t, error) {
	var producer *C.ottla_producer_t
	err := call(func() C.int32_t {
		return C.ottla_go_new(settings.handle, C.uintptr_t(e.handle), &producer)
	})
	if err != nil {
		e.close()
	}
	return producer, err
}

// close is called when the producer is freed, after which nothing comes.
func (e *events) close() {
	if e.handle != 0 {
		e.handle.Delete()
		e.handle = 0
	}
}

//export ottlaGoEvent
func ottlaGoEvent(kind, level, status C.int32_t, text *C.char, size C.size_t, env C.uintptr_t) {
	if kind == C.OTTLA_EVENT_THROTTLE {
		return
	}
	to := cgo.Handle(env).Value().(*events)
	to.take(Event{int(level), int32(status), C.GoStringN(text, C.int(size)), int(level) <= to.most})
}
