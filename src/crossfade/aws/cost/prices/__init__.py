"""What a unit of anything costs on AWS, by region, with its source."""
