namespace Entrepot.Hosting.Serving;

/// <summary>What is wrong with a certificate or, when <paramref name="InKey"/>, with its key.</summary>
internal sealed record PemProblem(bool InKey, string Problem, string Fix);

/// <summary>PEM texts that no TLS server can use.</summary>
internal sealed class PemException(PemProblem found) : Exception($"the {(found.InKey ? "key" : "certificate")} file {found.Problem}")
{
    public PemProblem Found { get; } = found;
}
