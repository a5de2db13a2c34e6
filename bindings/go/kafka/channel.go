package kafka

import "sync"

// produceChannel is the deprecated way to send: a channel that a goroutine empties.
type produceChannel struct {
	once     sync.Once
	mu       sync.Mutex
	messages chan *Message
	ended    chan struct{}
	done     sync.WaitGroup
}

func (c *produceChannel) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.messages)
}

// close closes the channel and waits for its goroutine, which gives up what finds no room.
func (c *produceChannel) close() {
	c.once.Do(func() { c.ended = make(chan struct{}) }) // or nobody had asked for it
	close(c.ended)
	c.mu.Lock()
	if c.messages != nil {
		close(c.messages)
	}
	c.mu.Unlock()
	c.done.Wait()
}

// ProduceChannel is a channel for messages, which are sent in its order; when there is no room they wait. Reports come
// through Events, and so do messages that could not be sent. Close closes it.
//
// Deprecated: use Produce. Len and Flush may miss a message that is being taken from the channel.
func (p *Producer) ProduceChannel() chan *Message {
	c := &p.channel
	c.once.Do(func() {
		c.ended = make(chan struct{})
		c.mu.Lock()
		c.messages = make(chan *Message, p.config.produceSize)
		c.mu.Unlock()
		c.done.Add(1)
		go p.produceFrom(c)
	})
	return c.messages
}

func (p *Producer) produceFrom(c *produceChannel) {
	defer c.done.Done()
	for message := range c.messages {
		if err := p.produceWaiting(message, c.ended); err != nil {
			p.giveBack(message, err)
		}
	}
}

// produceWaiting is Produce that waits for room.
func (p *Producer) produceWaiting(message *Message, ended chan struct{}) error {
	for {
		room := p.native.Room()
		err := p.Produce(message, nil)
		if err == nil || err.(Error).code != ErrQueueFull {
			return err
		}
		select {
		case <-room:
		case <-ended:
			return errClosed
		}
	}
}

// giveBack reports a message that was not taken.
func (p *Producer) giveBack(message *Message, err error) {
	if message == nil {
		p.mail.tidings(p.events, err.(Error))
		return
	}
	report := *message
	report.TopicPartition.Error = err
	p.mail.tidings(p.events, &report)
}
