"""What runs in the learner's process: this folder alone, on the standard library and time-machine."""
