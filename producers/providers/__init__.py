"""Payment providers behind one narrow interface: `base` states it, each other module adapts one provider."""
