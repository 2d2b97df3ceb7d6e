"""The only writer of catalogue, profile, organic and control facts: validates them and acknowledges what is durable."""
