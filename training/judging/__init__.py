"""What models are worth on a test part: ranked, measured, compared, kept as a judgement."""
