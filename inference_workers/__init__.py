"""Who translates: engines, their models, and the transactional worker around them."""
