"""What people do in a lesson: one ordered log of acts, and a pure reducer for each activity."""
