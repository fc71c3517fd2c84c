using System.ComponentModel;

namespace Entrepot.Hosting;

/// <summary>How the cluster's own processes speak to each other.</summary>
public sealed class InternalSettings : IValidatableSection
{
    private const int ShortestToken = 16;

    /// <summary>What the api shows a fetcher to read a running download.</summary>
    [Description("The same secret for all processes: with it an api replica reads a running download from its fetcher. At least 16 characters, printable ASCII without spaces.")]
    [Secret]
    public string? Token { get; set; }

    /// <inheritdoc/>
    public IEnumerable<ConfigError> Validate(string path)
    {
        // It goes over the wire in a header.
        var problem = Token switch
        {
            null => "is missing",
            { Length: < ShortestToken } => $"has fewer than {ShortestToken} characters",
            _ when Token.AsSpan().ContainsAnyExceptInRange('!', '~') => "has a character that is not printable ASCII, or a space",
            _ => null,
        };
        if (problem is not null) yield return new ConfigError($"{path}:Token", null, problem, "give the same long random text to all processes, as Token or TokenFile");
    }
}
