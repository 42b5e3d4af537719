"""Faults of moto 5.2 that stand between us and AWS's documented behaviour, mended when the interpreter starts.

Each names what AWS says; none makes moto accept more than AWS does."""
import sys

if any("moto" in argument for argument in sys.orig_argv):
    import moto.ec2.models.launch_templates as templates
    import moto.ec2.models.security_groups as groups
    from moto.ec2.utils import parse_user_data

    # A description is of every rule, not only of those with an IP range:
    # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html
    for name in ("SecurityGroupRule", "SecurityRule"):
        if hasattr(groups, name):
            getattr(groups, name).description = property(
                lambda rule: (rule.ip_range or {}).get("Description") or (rule.source_group or {}).get("Description")
            )

    # Machines are launched from every version of a template, with its user-data; moto parses only the first one's:
    # https://docs.aws.amazon.com/autoscaling/ec2/userguide/launch-templates.html
    _create = templates.LaunchTemplate.create_version

    def _create_version(self, data, *rest, **named):
        if isinstance(data.get("UserData"), str):
            data["UserData"] = parse_user_data(data["UserData"])
        return _create(self, data, *rest, **named)

    templates.LaunchTemplate.create_version = _create_version
