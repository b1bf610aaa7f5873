from app import resources, session
from app.components import memory_cases, memory_heads, memory_overview, sections

SECTIONS = {
    "overview": memory_overview.show,
    "cases": memory_cases.show,
    "heads": memory_heads.show,
}

sections.show(resources.services(), session.actor(), "memory", SECTIONS)
