from app import resources, session
from app.components import models_table, policy_form, sections, topics_form, voice_form

SECTIONS = {
    "voice": voice_form.show,
    "topics": topics_form.show,
    "policy": policy_form.show,
    "models": models_table.show,
}

sections.show(resources.services(), session.actor(), "desk", SECTIONS)
