import click


@click.group()
def main():
    pass


def also(group, *names):
    def deco(cmd):
        for n in names:
            group.add_command(cmd, n)
        return cmd
    return deco


@also(main, "a", "c")
@click.command()
def run():
    click.echo("run")


@main.command()
def other():
    pass
