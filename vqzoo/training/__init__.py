"""Training in two stages that can be killed and started again."""
