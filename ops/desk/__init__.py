"""What every command at the desk needs: amounts and moments as people write them, who may decide, and an answer."""
