"""Events a second: import, replay, both projector stages and training, beside librdkafka on the same topics."""
