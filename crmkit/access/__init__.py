"""Access: who works which customer."""
