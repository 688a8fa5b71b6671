"""What comes in: one thin module per topic and the one batch pipeline they all share."""
