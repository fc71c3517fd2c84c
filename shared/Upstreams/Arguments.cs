using Entrepot.Oci;

namespace Entrepot.Upstreams;

/// <summary>Guards against names that would change the address they are put into.</summary>
internal static class Arguments
{
    /// <exception cref="ArgumentException">It is not a repository name.</exception>
    public static void CheckRepository(string repository)
    {
        if (!RepositoryName.TryParse(repository, out _))
            throw new ArgumentException("It is not a valid repository name.", nameof(repository));
    }
}
