"""Each module is one scenario: its SCENARIO."""
