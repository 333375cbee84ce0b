"""What simple models say of items that they never saw: probabilities of every item, without anything asked for."""
