"""The parts of kafka-dev."""
