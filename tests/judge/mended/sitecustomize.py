"""Faults of moto 5.2 that stand between us and AWS's documented behaviour, mended when the interpreter starts.

Each names what AWS says; none makes moto accept more than AWS does."""
import sys

if any("moto" in argument for argument in sys.orig_argv):
    import moto.ec2.models.security_groups as groups

    # A description is of every rule, not only of those with an IP range:
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html
    def _description(rule):
        return (rule.ip_range or {}).get("Description") or getattr(rule, "_described", None)

    groups.SecurityRule.description = property(_description)
    _add = groups.SecurityGroupBackend._add_source_group

    def _add_source_group(self, source_groups, vpc_id):
        made = _add(self, source_groups, vpc_id)
        for asked, group in zip(source_groups or [], made):
            if asked.get("Description") is not None:
                group["Description"] = asked["Description"]
        return made

    groups.SecurityGroupBackend._add_source_group = _add_source_group
    groups.SecurityRule._described = property(lambda rule: (rule.source_group or {}).get("Description"))
