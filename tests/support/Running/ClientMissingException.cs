namespace Entrepot.TestSupport.Running;

/// <summary>A command that a test needs is not installed.</summary>
/// <param name="command">The command that was looked for.</param>
public sealed class ClientMissingException(string command)
    : Exception($"{command} is not installed: ./test.sh installs what the tests need.")
{
    /// <summary>The command that was looked for.</summary>
    public string Command { get; } = command;
}
