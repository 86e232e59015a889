"""What requests bring: read, judged row by row, kept, and waited for."""
