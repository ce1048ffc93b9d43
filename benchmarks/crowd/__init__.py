"""Many learners at once, without browsers: a class, a room, a long day."""
